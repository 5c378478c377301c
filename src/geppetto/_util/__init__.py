"""What every package needs: errors, files of settings, names, processes."""
