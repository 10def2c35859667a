"""The colours of figures and widgets: those of Okabe and Ito, distinct for colour-blind people."""

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # blue, as in widgets.css
SKY_BLUE = "#56B4E9"
GREY, DARK_GREY = "#999999", "#767676"  # the second is for thin lines
