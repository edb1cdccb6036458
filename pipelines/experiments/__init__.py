"""Online experiments: lifts of clicks with honest intervals, power, and a simulator that shows they are honest."""
