"""The subcommands of the console script, one per stage, each of which joins other modules."""
