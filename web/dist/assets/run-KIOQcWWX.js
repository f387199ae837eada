import{u as r}from"./index-CwvOmZlW.js";function n(){return r("h1",{tabIndex:-1,children:"run"})}export{n as default};
