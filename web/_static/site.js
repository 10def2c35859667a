// Lets the keyboard scroll what is wide, code in an opened answer included (the theme looks once).

addEventListener("load", () => {
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const wide = target.scrollWidth > target.clientWidth;
      if (wide || target.scrollHeight > target.clientHeight) target.tabIndex = 0;
    }
  });
  const parts = "pre, .cell_output .output, .bd-article table, .pst-scrollable-table-container";
  for (const part of document.querySelectorAll(parts)) {
    sizes.observe(part);
  }
});
