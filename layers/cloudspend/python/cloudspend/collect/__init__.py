"""What AWS says of cost beside the exports: Cost Explorer."""
