"""The look: colours, type and spacing of the themes, style sheet, icons, and small widgets that everything else is made of."""
