import{u as e}from"./index-CwvOmZlW.js";function r(){return e("h1",{tabIndex:-1,children:"pipeline"})}export{r as default};
