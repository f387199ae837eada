import{u as e}from"./index-CwvOmZlW.js";function n(){return e("h1",{tabIndex:-1,children:"events"})}export{n as default};
