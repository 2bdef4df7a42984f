"use strict";
/* Draws each figure as it comes near the window; all of them before printing. The data stand in the page. */
(function () {
  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  var options = { displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false };

  function draw(plot) {
    if (plot.dataset.drawn) { return; }
    plot.dataset.drawn = "yes";
    var figure = JSON.parse(document.getElementById(plot.id + "-data").textContent);
    window.Plotly.newPlot(plot, figure.data, figure.layout, options);
  }

  function drawAll() { plots.forEach(draw); }

  window.drawAllFigures = drawAll;
  if ("IntersectionObserver" in window) {
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) { draw(entry.target); watcher.unobserve(entry.target); }
      });
    }, { rootMargin: "1200px 0px" });
    plots.forEach(function (plot) { watcher.observe(plot); });
  } else {
    drawAll();
  }

  /* Paper has its own width: draw for it, then go back. */
  var closed = [];
  window.addEventListener("beforeprint", function () {
    drawAll();
    plots.forEach(function (plot) {
      window.Plotly.relayout(plot, { width: plot.closest(".pairs") ? 320 : 660 });
    });
    closed = Array.prototype.slice.call(document.querySelectorAll("details.assumptions:not([open])"));
    closed.forEach(function (item) { item.open = true; });
  });
  window.addEventListener("afterprint", function () {
    plots.forEach(function (plot) { window.Plotly.relayout(plot, { width: null, autosize: true }); });
    closed.forEach(function (item) { item.open = false; });
  });
})();
