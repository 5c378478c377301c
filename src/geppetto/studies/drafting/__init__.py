"""The draft of a codebook from a data file, for its owner to read and correct.

`columns` reads a file with all that it says of itself; `exports` knows survey tools by their
columns, `orders` the words of scales, `traits` what is known of people, `items` who shares a scale;
`guess` puts them together and `text` writes what was guessed, with a question wherever that is
not sure. Only `columns` reads, and only who calls this writes.
"""

from geppetto.studies.drafting.columns import read_columns
from geppetto.studies.drafting.guess import guess
from geppetto.studies.drafting.text import codebook_text

__all__ = ["codebook_text", "guess", "read_columns"]
