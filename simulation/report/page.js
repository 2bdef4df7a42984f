"use strict";
/* Draws each figure as it comes near the window; all of them before printing. The data stand in the page. */
(function () {
  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  var options = { displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false };

  var ruler = document.createElement("canvas").getContext("2d");

  function widthOf(text, annotation) {
    var plain = text.replace(/<[^>]*>/g, "").replace(/&[a-z]+;/g, "&");
    var bold = text.indexOf("<b>") >= 0 ? "bold " : "";
    ruler.font = bold + annotation.font.size + "px " + getComputedStyle(document.body).fontFamily;
    return ruler.measureText(plain).width;
  }

  /* Where a row's name would meet its value, put the name on several lines and make every row higher. */
  function fitRows(layout, width) {
    var rows = {};
    (layout.annotations || []).forEach(function (item) {
      if (item.xref === "paper" && item.yref === "y") {
        rows[item.y] = rows[item.y] || {};
        rows[item.y][item.xanchor] = item;
      }
    });
    var most = 1;
    Object.keys(rows).forEach(function (y) {
      var name = rows[y].left, value = rows[y].right;
      if (!name || !value) { return; }
      var room = width - widthOf(value.text, value) - 44;
      var lines = [""];
      name.text.split(" ").forEach(function (word) {
        var longer = lines[lines.length - 1] ? lines[lines.length - 1] + " " + word : word;
        if (widthOf(longer, name) <= room) { lines[lines.length - 1] = longer; } else { lines.push(word); }
      });
      name.text = lines.filter(Boolean).join("<br>");
      most = Math.max(most, lines.length);
    });
    layout.height += (most - 1) * 17 * Object.keys(rows).length;
  }

  /* Where a curve's name would leave the figure, write it smaller; margins are known once it is drawn. */
  function fitNames(plot) {
    var size = plot._fullLayout._size, smaller = {};
    (plot.layout.annotations || []).forEach(function (item, place) {
      if (item.xref !== "paper" || item.yref !== "paper" || item.xanchor !== "left") { return; }
      var share = (size.w * (1 - item.x) + size.r - 4) / widthOf(item.text, item);
      if (share < 1) { smaller["annotations[" + place + "].font.size"] = Math.max(8, Math.floor(item.font.size * share)); }
    });
    if (Object.keys(smaller).length) { window.Plotly.relayout(plot, smaller); }
  }

  function draw(plot) {
    if (plot.dataset.drawn) { return; }
    plot.dataset.drawn = "yes";
    var figure = JSON.parse(document.getElementById(plot.id + "-data").textContent);
    fitRows(figure.layout, plot.clientWidth);
    window.Plotly.newPlot(plot, figure.data, figure.layout, options).then(fitNames);
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
      var narrow = plot.closest(".pairs") && !plot.closest(".main-charts");
      window.Plotly.relayout(plot, { width: narrow ? 300 : 640 });
    });
    closed = Array.prototype.slice.call(document.querySelectorAll("details.assumptions:not([open])"));
    closed.forEach(function (item) { item.open = true; });
  });
  window.addEventListener("afterprint", function () {
    plots.forEach(function (plot) { window.Plotly.relayout(plot, { width: null, autosize: true }); });
    closed.forEach(function (item) { item.open = false; });
  });
})();
