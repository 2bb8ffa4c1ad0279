// Sets the colour scheme before the first paint. A file of its own because the content policy forbids inline scripts.
(() => {
  let stored = null;
  try {
    stored = localStorage.getItem("polder-color-scheme");
  } catch {
    // Storage is switched off: follow the system.
  }
  const dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
