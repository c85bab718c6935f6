"""How a backward pass is changed so that its gradients tell more of what counted."""
