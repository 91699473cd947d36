"""What people type or hand over as a loss or a statement, read within bounds, never evaluated."""
