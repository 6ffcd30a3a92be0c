"""Virtual trials: a study file, its patients as counterfactual twins, what visits see of them, and the statistics."""
