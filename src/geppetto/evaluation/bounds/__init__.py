"""How far a contrast could be from what was found, given what models did not say."""
