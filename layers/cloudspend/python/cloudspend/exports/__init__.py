"""Exports: the kinds that AWS delivers, their manifests and deliveries."""
