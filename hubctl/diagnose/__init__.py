"""What is wrong on the hub, and how to repair it: from objects of the hub to checks. Pure."""
