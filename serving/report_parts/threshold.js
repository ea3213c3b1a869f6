// Sums over steps of risk, as `threshold.profits` in Python makes them.
interactive.threshold = (root, data) => {
  const input = name => root.querySelector(`[name="${name}"]`);
  const grouped = (x, decimals) => x.toLocaleString("en-US", {minimumFractionDigits: decimals, maximumFractionDigits: decimals}).replace("-", "−");
  const write = {
    count: x => grouped(x, 0),
    money: x => grouped(x, Math.abs(x) >= 100 || x === 0 ? 0 : 2),
    percent: x => `${grouped(100 * x, 0)}%`,
  };
  const put = (name, value, form) => {
    const place = root.querySelector(`#figure-threshold_${name}`);
    place.textContent = value === null ? data.nobody : write[form](value);
    place.setAttribute("value", value === null ? "" : value);
  };
  const from = (threshold, cost, rate) => {
    const sum = name => data[name].slice(threshold).reduce((a, b) => a + b, 0);
    const contacted = sum("contacted"), caught = sum("caught"), spent = contacted * cost, saved = sum("loss") * rate;
    return {contacted, caught, false_alarms: contacted - caught, cost: spent, saved, profit: saved - spent};
  };
  const within = (field, scale) => {
    const given = Number(field.value);
    return Math.min(Math.max(Number.isFinite(given) ? given : 0, field.min), field.max) / scale;
  };
  const update = () => {
    const threshold = Number(input("threshold").value), cost = within(input("contact_cost"), 1), rate = within(input("save_rate"), 100);
    const found = from(threshold, cost, rate);
    const profits = data.contacted.map((_, step) => from(step, cost, rate).profit);
    const most = Math.max(...profits);
    for (const name of ["contacted", "caught", "false_alarms"]) put(name, found[name], "count");
    for (const name of ["cost", "saved", "profit"]) put(name, found[name], "money");
    put("best", most > 0 ? profits.indexOf(most) / (profits.length - 1) : null, "percent");
    root.querySelector('[data-of="threshold"]').textContent = `${threshold}%`;
  };
  root.addEventListener("input", update);
  update();
};
