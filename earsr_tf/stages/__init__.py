"""The training procedure of the paper, one equation per file."""
