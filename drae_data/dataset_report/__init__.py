"""The dataset report: one HTML page that says whether a version is fit, and shows what is in it."""
