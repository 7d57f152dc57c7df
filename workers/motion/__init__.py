"""Motion: dense flow, velocity of ice, chip correlation, and generated video of surface chips."""
