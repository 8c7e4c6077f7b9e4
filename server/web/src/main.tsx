// The page begins here: its look, its device, its faces.

import { render } from "preact";
import "./look/look.css";
import { App } from "./app/app";

const page = document.getElementById("page");
if (page) render(<App />, page);
