// The Retrain form: choosing another architecture, preset or start shows the figures of its recipe.

const defaults = JSON.parse(document.getElementById("recipes").textContent);
const field = (name) => document.querySelector(`[name="${name}"]`);

function presets() {
  const known = Object.keys(defaults[field("architecture").value]);
  for (const option of field("preset").options) option.disabled = !known.includes(option.value);
  if (!known.includes(field("preset").value)) field("preset").value = known[0];
}

function figures() {
  const start = field("start").value === "scratch" ? "scratch" : "going_on";
  const recipe = defaults[field("architecture").value][field("preset").value][start];
  for (const [name, value] of Object.entries(recipe)) {
    field(name).value = value ?? "";
    field(name).disabled = value === null;
  }
}

field("architecture").addEventListener("change", () => {
  presets();
  figures();
  field("split").value = "";
});
field("preset").addEventListener("change", figures);
field("start").addEventListener("change", figures);
presets();
