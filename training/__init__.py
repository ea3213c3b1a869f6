"""History and future -> models with proof."""
