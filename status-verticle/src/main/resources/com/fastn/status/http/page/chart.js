// A small line over time. Drawn as SVG elements, so that nothing is parsed from text.

const SVG = "http://www.w3.org/2000/svg";

export class Chart {
  constructor(label, most = 120) {
    this.most = most;
    this.values = [];
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("viewBox", "0 0 100 30");
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", label);
    this.area = document.createElementNS(SVG, "path");
    this.area.setAttribute("class", "chart-area");
    this.line = document.createElementNS(SVG, "path");
    this.line.setAttribute("class", "chart-line");
    this.element.append(this.area, this.line);
  }

  /** A value that is not known leaves a gap, and is not drawn as 0. */
  add(value, top) {
    this.values.push(Number.isFinite(value) ? value : null);
    if (this.values.length > this.most) this.values.shift();
    const highest = top ?? Math.max(1, ...this.values.map((v) => v ?? 0));
    let line = "";
    let area = "";
    let start = null;
    let last = null;
    this.values.forEach((v, i) => {
      const x = (100 * (this.most - this.values.length + i + 1)) / this.most;
      if (v === null) {
        if (start !== null) area += `L${last} 30Z`;
        start = null;
        return;
      }
      const y = 29 - (28 * Math.min(v, highest)) / highest;
      line += `${start === null ? "M" : "L"}${x.toFixed(2)} ${y.toFixed(2)}`;
      area += start === null ? `M${x.toFixed(2)} 30L${x.toFixed(2)} ${y.toFixed(2)}` : `L${x.toFixed(2)} ${y.toFixed(2)}`;
      start ??= x;
      last = x.toFixed(2);
    });
    if (start !== null) area += `L${last} 30Z`;
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", area);
  }
}
