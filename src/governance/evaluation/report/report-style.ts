/** The looks of a report: readable on a screen and on paper, by colour-blind people too. */
export const reportStyle = `
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; }
.banner { border: 3px solid #a02020; padding: .5rem 1rem; color: #7a1010; background: #fdf0f0; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; display: block; overflow-x: auto; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border: 1px solid #bbb; padding: .25rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { background: #f0f0f0; } tbody th { font-weight: 400; }
.none { color: #595959; font-style: italic; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: #333; }
.grid { stroke: #e2e2e2; } polyline { fill: none; }
.model { stroke: #0b4f8a; stroke-width: 2; } .reference { stroke: #666; stroke-width: 1.5; stroke-dasharray: 5 4; }
.group line { stroke: #b34700; stroke-width: 1.5; } .group circle { fill: #b34700; }
.others { fill: #a9c7e0; } .events { fill: #0b4f8a; }
@media print { .charts { grid-template-columns: 1fr 1fr; } details { display: none; } }
`;
