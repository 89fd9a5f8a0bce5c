"""What browsers are told: whom to trust for .mesh, and by which way to go there."""
