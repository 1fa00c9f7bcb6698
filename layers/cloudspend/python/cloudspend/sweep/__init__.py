"""Sweep: find missed deliveries, repair drift, expire generations, report conditions."""
