"""What AWS delivers: manifests of the export kinds, and what a delivery is."""
