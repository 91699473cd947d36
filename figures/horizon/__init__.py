"""Pictures of many steps."""
