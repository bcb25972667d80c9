"""What people read of a badge and of a verdict, as plain values. Pure; no markup."""
