// Where the page begins.

import { render } from "preact";
import { App } from "./views/app.tsx";
import { start } from "./views/session.ts";
import { applySettings } from "./views/settings.ts";
import "./views/styles/tokens.css";
import "./views/styles/base.css";
import "./views/styles/top.css";
import "./views/styles/controls.css";
import "./views/styles/overlay.css";

applySettings();
const root = document.getElementById("app");
if (root) render(<App />, root);
void start();
