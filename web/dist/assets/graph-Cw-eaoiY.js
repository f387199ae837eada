import{u as r}from"./index-CwvOmZlW.js";function t(){return r("h1",{tabIndex:-1,children:"graph"})}export{t as default};
