"""How it is known to be right: laws that must hold on any installation, and the record the model is judged by."""
