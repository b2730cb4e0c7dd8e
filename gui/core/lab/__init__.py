"""An open experiment: the session that ties runner, form and panel, and the parts it is made of."""
