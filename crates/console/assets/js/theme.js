// Runs before anything is painted: the colours that somebody chose, and that there are scripts at all.
(() => {
  const root = document.documentElement;
  root.dataset.scripted = "";
  try {
    const theme = localStorage.getItem("portreeve.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // A browser that keeps nothing shows the system's colours.
  }
})();
