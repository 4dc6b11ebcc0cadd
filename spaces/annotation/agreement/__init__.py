"""The formulas of the kit's metrics weighted_kappa and krippendorff_alpha, linked."""
