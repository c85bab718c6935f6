"""What computing costs: operations and bytes, declared by formula and counted on a model; milliseconds, measured and predicted."""
