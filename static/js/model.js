// The loss curves on the card of a version.

import { lossChart } from "./chart.js";

const curves = JSON.parse(document.getElementById("curves").textContent);
lossChart(document.getElementById("losses"), curves);
