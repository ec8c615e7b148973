"""What went over the wire: kept, masked, written out, held against expectations."""
