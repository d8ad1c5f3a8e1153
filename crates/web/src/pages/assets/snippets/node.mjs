# node.mjs
