"""Human evaluation: blind ratings of creatives, agreement, no-defect rates, strengths, and training data from them."""
