"""The lake: generations, tables, the Glue catalog, objects, queries and views."""
