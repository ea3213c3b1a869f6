// The tables are whole without this script; it only sorts and filters what is there.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => {
    const data = row.cells[i].querySelector("data");
    if (data) return Number(data.value);
    return heads[i].classList.contains("number") ? -Infinity : row.cells[i].textContent;
  };
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b, undefined, {numeric: true}) : a === b ? 0 : a - b;
  const sort = i => {
    const head = heads[i];
    const first = head.classList.contains("number") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    heads.forEach(each => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    body.append(...rows.sort((a, b) => sign * compare(key(a, i), key(b, i))));
    filter();
  };
  heads.forEach((head, i) => {
    const label = head.firstElementChild; // not a <button>: browsers do not repeat those on each printed page
    label.tabIndex = 0;
    label.setAttribute("role", "button");
    label.addEventListener("click", () => sort(i));
    label.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort(i);
    });
  });
  const tools = document.querySelector(`[data-for="${table.id}"]`);
  const search = tools.querySelector("input"), selects = [...tools.querySelectorAll("select")], output = tools.querySelector("output"), all = tools.querySelector("button");
  let limit = 20; // a screenful; print has them all
  const filter = () => {
    let matching = 0;
    for (const row of rows) {
      const chosen = selects.every(s => !s.value || row.cells[s.dataset.column].firstElementChild.textContent === s.value);
      row.hidden = !(chosen && row.textContent.toLowerCase().includes(search.value.trim().toLowerCase()));
      matching += !row.hidden;
      row.classList.toggle("folded", !row.hidden && matching > limit);
    }
    output.textContent = output.dataset.text.replace("{shown}", Math.min(matching, limit)).replace("{total}", rows.length);
    all.hidden = matching <= limit;
  };
  all.addEventListener("click", () => { limit = rows.length; filter(); });
  tools.addEventListener("input", filter);
  tools.hidden = false;
  filter();
}
