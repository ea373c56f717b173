# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time left, for JupyterLab and Notebook 7: written by `make extension`. Pure: text."""

# ruff: noqa: E501 - as the builder has made it

from __future__ import annotations

SOURCE_SHA256 = "015dba973d60eb865450925956eb168fef62677b4af44fa1052ffcce420e10d0"
VERSION = "0.1.0"
SCRIPTS = {
    "remoteEntry.js": r"""var _JUPYTERLAB;(()=>{"use strict";var e={303(e,t,r){const o={
"./index":()=>r.e(457).then(()=>()=>r(457)),"./extension":()=>r.e(457).then(()=>()=>r(457))
},n=(e,t)=>(r.R=t,t=r.o(o,e)?o[e]():Promise.resolve().then(()=>{
throw new Error('Module "'+e+'" does not exist in container.')}),r.R=void 0,t),i=(e,t)=>{
if(!r.S)return;const o="default",n=r.S[o]
;if(n&&n!==e)throw new Error("Container initialization failed as it has already been initialized with a different share scope")
;return r.S[o]=e,r.I(o,t)};r.d(t,{get:()=>n,init:()=>i})}};const t={};function r(o){
const n=t[o];if(void 0!==n)return n.exports;const i=t[o]={exports:{}}
;return e[o](i,i.exports,r),i.exports}r.m=e,r.c=t,r.d=(e,t)=>{
for(var o in t)r.o(t,o)&&!r.o(e,o)&&Object.defineProperty(e,o,{enumerable:!0,get:t[o]})},
r.f={},
r.e=e=>Promise.all(Object.keys(r.f).reduce((t,o)=>(r.f[o](e,t),t),[])),r.u=e=>"time-left.js?v=aa76b0b7b39918d11ade",
r.o=(e,t)=>Object.prototype.hasOwnProperty.call(e,t),(()=>{
const e={},t="hpcc-notebook-time-left:";r.l=(o,n,i,s)=>{if(e[o])return void e[o].push(n)
;let a,u;if(void 0!==i){const e=document.getElementsByTagName("script")
;for(var c=0;c<e.length;c++){const r=e[c]
;if(r.getAttribute("src")==o||r.getAttribute("data-webpack")==t+i){a=r;break}}}a||(u=!0,
a=document.createElement("script"),a.charset="utf-8",r.nc&&a.setAttribute("nonce",r.nc),
a.setAttribute("data-webpack",t+i),a.src=o),e[o]=[n];const l=(t,r)=>{a.onerror=a.onload=null,
clearTimeout(f);const n=e[o];if(delete e[o],a.parentNode?.removeChild(a),n?.forEach(e=>e(r)),
t)return t(r)},f=setTimeout(l.bind(0,0,{type:"timeout",target:a}),12e4)
;a.onerror=l.bind(0,a.onerror),a.onload=l.bind(0,a.onload),u&&document.head.appendChild(a)}
})(),r.r=e=>{Object.defineProperties(e,{[Symbol.toStringTag]:{value:"Module"},__esModule:{
value:!0}})},(()=>{r.S={};const e={},t={};r.I=(o,n)=>{n=n||[];const i=t[o]=t[o]||{}
;if(n.indexOf(i)>=0)return;if(n.push(i),e[o])return e[o];r.o(r.S,o)||(r.S[o]={})
;const s=r.S[o],a="hpcc-notebook-time-left",u=[];if("default"===o)((e,t,r,o)=>{
const n=s[e]=s[e]||{},i=n[t];(!i||!i.loaded&&(!o!=!i.eager?o:a>i.from))&&(n[t]={get:r,from:a,
eager:!!o})})("hpcc-notebook-time-left","0.1.0",()=>r.e(457).then(()=>()=>r(457)))
;return u.length?e[o]=Promise.all(u).then(()=>e[o]=1):e[o]=1}})(),(()=>{let e
;if("undefined"!=typeof document){const t=document.currentScript
;if((!t||/^script$/i.test(t.tagName))&&(e=t?.src,!e)){
const t=document.getElementsByTagName("script");let r=t.length
;for(;r&&(!e||!/^https?:/.test(e));)e=t[--r].src}
}else"undefined"!=typeof importScripts&&(e=location+"")
;if(!e)throw new Error("Automatic publicPath is not supported in this browser")
;r.p=e.replace(/^blob:|[?#].*$/g,"").replace(/\/[^/]+$/,"/")})(),(()=>{var e=e=>{
var t=e=>e.split(".").map(e=>+e==e?+e:e),r=/^([^-+]+)?(?:-([^+]+))?(?:\+(.+))?$/.exec(e),o=r[1]?t(r[1]):[]
;return r[2]&&(o.length++,o.push.apply(o,t(r[2]))),r[3]&&(o.push([]),o.push.apply(o,t(r[3]))),o
},t=(t,r)=>{for(var o=e(t),n=e(r),i=0;;){
if(i>=o.length)return i<n.length&&"u"!=(typeof n[i])[0];var s=o[i],a=(typeof s)[0]
;if(i>=n.length)return"u"==a;var u=n[i],c=(typeof u)[0]
;if(a!=c)return"o"==a&&"n"==c||"s"==c||"u"==a;if("o"!=a&&"u"!=a&&s!=u)return s<u;i++}},o=e=>{
var t=e[0],r="";if(1===e.length)return"*";if(t+.5){
r+=0==t?">=":-1==t?"<":1==t?"^":2==t?"~":t>0?"=":"!=";for(var n=1,i=1;i<e.length;i++)n--,
r+="u"==(typeof(a=e[i]))[0]?"-":(n>0?".":"")+(n=2,a);return r}var s=[];for(i=1;i<e.length;i++){
var a=e[i]
;s.push(0===a?"not("+u()+")":1===a?"("+u()+" || "+u()+")":2===a?s.pop()+" "+s.pop():o(a))}
return u();function u(){return s.pop().replace(/^\((.+)\)$/,"$1")}},n=(t,r)=>{if(0 in t){
var o=e(r),i=t[0],s=i<0;s&&(i=-i-1);for(var a=0,u=1,c=!0;;u++,a++){
var l,f,p=u<t.length?(typeof t[u])[0]:""
;if(a>=o.length||"o"==(f=(typeof(l=o[a]))[0]))return!c||("u"==p?u>i&&!s:""==p!=s);if("u"==f){
if(!c||"u"!=p)return!1}else if(c)if(p==f)if(u<=i){if(l!=t[u])return!1}else{
if(s?l>t[u]:l<t[u])return!1;l!=t[u]&&(c=!1)}else if("s"!=p&&"n"!=p){if(s||u<=i)return!1;c=!1,
u--}else{if(u<=i||f<p!=s)return!1;c=!1}else"s"!=p&&"n"!=p&&(c=!1,u--)}}var d=[],h=d.pop.bind(d)
;for(a=1;a<t.length;a++){var m=t[a];d.push(1==m?h()|h():2==m?h()&h():m?n(m,r):!h())}return!!h()
}
;const i=(e,t)=>e&&r.o(e,t),s=e=>(e.loaded=1,e.get()),a=e=>Object.keys(e).reduce((t,r)=>(e[r].eager&&(t[r]=e[r]),
t),{}),u=(e,r,o)=>{const n=o?a(e[r]):e[r]
;return Object.keys(n).reduce((e,r)=>!e||!n[e].loaded&&t(e,r)?r:e,0)
},c=(e,t,r,n)=>"Unsatisfied version "+r+" from "+(r&&e[t][r].from)+" of shared singleton module "+t+" (required "+o(n)+")",l=e=>{
throw new Error(e)},f=e=>{"undefined"!=typeof console&&console.warn&&console.warn(e)
},p=e=>(t,o,n,i,s)=>{const a=r.I(t)
;return a?.then&&!n?a.then(e.bind(e,t,r.S[t],o,!1,i,s)):e(t,r.S[t],o,n,i,s)
},d=(e,t,r)=>r?r():((e,t)=>l("Shared module "+t+" doesn't exist in shared scope "+e))(e,t),h=p((e,t,r,o,a,l)=>{
if(!i(t,r))return d(e,r,l);const p=u(t,r,o);return n(a,p)||f(c(t,r,p,a)),s(t[r][p])}),m={},b={
77:()=>h("default","@jupyterlab/settingregistry",!1,[1,4,6,0]),
159:()=>h("default","@jupyterlab/apputils",!1,[1,4,7,0]),
247:()=>h("default","@lumino/widgets",!1,[1,2,3,1,,"alpha",1]),
401:()=>h("default","@jupyterlab/services",!1,[1,7,6,0]),
514:()=>h("default","@jupyterlab/coreutils",!1,[1,6,6,0]),
767:()=>h("default","@jupyterlab/docmanager",!1,[1,4,6,0])},g={457:[77,159,247,401,514,767]
},v={};r.f.consumes=(e,t)=>{r.o(g,e)&&g[e].forEach(e=>{if(r.o(m,e))return t.push(m[e])
;if(!v[e]){const o=t=>{m[e]=0,r.m[e]=o=>{delete r.c[e],o.exports=t()}};v[e]=!0;const n=t=>{
delete m[e],r.m[e]=o=>{throw delete r.c[e],t}};try{const r=b[e]()
;r.then?t.push(m[e]=r.then(o).catch(n)):o(r)}catch(e){n(e)}}})}})(),(()=>{const e={933:0}
;r.f.j=(t,o)=>{let n=r.o(e,t)?e[t]:void 0;if(0!==n)if(n)o.push(n[2]);else{
const i=new Promise((r,o)=>n=e[t]=[r,o]);o.push(n[2]=i);const s=new Error,a=o=>{
if(r.o(e,t)&&(n=e[t],0!==n&&(e[t]=void 0),n)){
const e=o&&("load"===o.type?"missing":o.type),r=o?.target?.src
;s.message="Loading chunk "+t+" failed.\n("+e+": "+r+")",s.name="ChunkLoadError",s.type=e,
s.request=r,s.event=o,n[1](s)}};r.l(r.p+r.u(t),a,"chunk-"+t,t)}};const t=(t,o)=>{let[n,i,s]=o
;var a,u,c=0;if(n.some(t=>0!==e[t])){for(a in i)r.o(i,a)&&(r.m[a]=i[a]);if(s)s(r)}
for(t&&t(o);c<n.length;c++)u=n[c],r.o(e,u)&&e[u]&&e[u][0](),e[u]=0
},o=Array.isArray(self.webpackChunkhpcc_notebook_time_left)?self.webpackChunkhpcc_notebook_time_left:self.webpackChunkhpcc_notebook_time_left=[]
;o.forEach(t.bind(null,0)),o.push=t.bind(null,o.push.bind(o))})();let o=r(303)
;(_JUPYTERLAB=void 0===_JUPYTERLAB?{}:_JUPYTERLAB)["hpcc-notebook-time-left"]=o})();
""",
    "time-left.js": r""""use strict"
;(Array.isArray(self.webpackChunkhpcc_notebook_time_left)?self.webpackChunkhpcc_notebook_time_left:self.webpackChunkhpcc_notebook_time_left=[]).push([[457],{
457(e,t,n){n.r(t),n.d(t,{default:()=>v});var o=n(159),s=n(514),a=n(767),r=n(77),i=n(247)
;function c(e){const t=Math.floor(e/60);if(t>=60)return`${Math.floor(t/60)} h ${t%60} min`
;const n=Math.floor(e%60);return t>=5?`${t} min`:t?`${t} min ${n} s`:`${n} s`}class l{
constructor(e){this.over=0,this.drift=0,this.tell(e),this.wasSet()}tell(e){
Math.abs(e-this.left)>2&&(this.over=Date.now()+1e3*e)}wasSet(){const e=this.drift
;return this.drift=Date.now()-performance.now(),Math.abs(this.drift-e)>2e3}get left(){
return(this.over-Date.now())/1e3}get spoken(){return new Date(this.over).toLocaleTimeString()}}
var d=n(401);class h extends i.Widget{constructor(){super(),this.id="hpcc-notebook-meters",
Object.assign(this.node.style,{alignSelf:"center",display:"flex",whiteSpace:"nowrap"})}tell(e){
this.node.replaceChildren(...e.map(e=>{const t=document.createElement("span")
;return t.textContent=`${e.name} ${e.text}`,t.title=`${e.name} ${e.of}`,Object.assign(t.style,{
padding:"0 8px",borderRadius:"3px"}),e.near&&Object.assign(t.style,{
background:"var(--jp-warn-color2)",color:"black"}),t}))}}function u(e,t){
const n=s.PageConfig.getOption("hpccNotebookMeters");if(!n)return async()=>{};const o=new h
;e.shell.add(o,"top",{rank:999});const a=async()=>{const e=await async function(e){
const t=d.ServerConnection.makeSettings(),n=s.URLExt.join(t.baseUrl,e),o=await d.ServerConnection.makeRequest(n,{},t)
;return o.ok?await o.json():{meters:[]}}(n).catch(()=>null);e&&o.tell(e.meters),
void 0!==e?.left&&t(e.left)},r=()=>{document.hidden||a()};return r(),setInterval(r,15e3),
document.addEventListener("visibilitychange",r),a}class f extends i.Widget{constructor(){
super(),this.id="hpcc-notebook-time-left",Object.assign(this.node.style,{alignSelf:"center",
padding:"0 8px",borderRadius:"3px",whiteSpace:"nowrap"})}tell(e,t){
const n=e.left>0?`${c(e.left)} left`:"The job is over"
;this.node.textContent!==n&&(this.node.textContent=n),
this.node.title=`The job of this server ends at ${e.spoken}.`,
this.node.style.background=t?"var(--jp-warn-color2)":"",this.node.style.color=t?"black":""}}
function p(e,t){for(const n of t.autosave?e.shell.widgets("main"):[]){
const e=t.contextForWidget(n)
;e?.model.dirty&&!1!==e.canSave&&e.save().catch(e=>console.warn("Not saved before the end:",e))
}}async function g(e,t,n,s,a,r){const i=new f;e.shell.add(i,"top",{rank:1e3}),await e.restored
;const l=await(r?.load("@jupyterlab/docmanager-extension:plugin").catch(()=>null))
;let d=0,h="",u=!1;const g=()=>{const s=n.left,r=function(e,t){return e.filter(e=>t<=e).length
}(t.warnings,s)
;i.tell(n,r>0),void 0===l?.user.autosaveInterval&&(a.autosaveInterval=r<t.warnings.length?t.autosave:t.hurry),
r!==d&&o.Notification.dismiss(h),r>d&&s>0&&(p(e,a),h=function(e,t){
const n="docmanager:save-all"
;return o.Notification.warning(`The job of this server ends in ${c(t.left)}, at ${t.spoken}. Cells are interrupted then, and kernels end.`,{
autoClose:!1,actions:e.commands.hasCommand(n)?[{label:"Save all",callback:()=>{
e.commands.execute(n)}}]:[]})}(e,n)),d=r;const f=s<=t.last_save;f&&!u&&p(e,a),u=f};g(),
setInterval(()=>n.wasSet()?void s().then(g):g(),1e3)}const v={
id:"hpcc-notebook-time-left:plugin",
description:"Shows what the server uses and how long its job goes on, and saves before the end.",
autoStart:!0,requires:[a.IDocumentManager],optional:[r.ISettingRegistry],activate:(e,t,n)=>{
const o=(a=s.PageConfig.getOption("hpccNotebookEnd"))?JSON.parse(a):null;var a
;const r=o&&new l(o.left),i=u(e,e=>r?.tell(e));o&&r&&g(e,o,r,i,t,n)}}}}]);
""",
}
