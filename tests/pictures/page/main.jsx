// Draws one board: `?board=UID` reads boards/UID.json (as committed) and boards/UID.data.json (its queries' results).
// Time series, trends, stats, bar gauges and tables are Grafana's own components. Bar charts are its time series
// component over the places of the categories; maps and heat maps are sketches of this page's in Grafana's colours,
// and say so. Marks in time are drawn by this page, too.
import {
  createTheme, dateTime, FieldColorModeId, FieldType, getDisplayProcessor, getDisplayValueAlignmentFactors,
  getFieldDisplayName, systemDateFormats, ThemeContext, toDataFrame,
} from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import * as chromatic from 'd3-scale-chromatic';
import React from 'react';
import { createRoot } from 'react-dom/client';

const ZONE = 'Asia/Ho_Chi_Minh';
const COLUMN = 1500 / 24;
const ROW = 38;
const theme = createTheme({ colors: { mode: 'light' } });
// As deploy/grafana/grafana.ini has them.
systemDateFormats.update({
  fullDate: 'DD/MM/YYYY HH:mm:ss',
  interval: {
    millisecond: 'HH:mm:ss.SSS', second: 'HH:mm:ss', minute: 'HH:mm', hour: 'DD/MM HH:mm', day: 'DD/MM',
    month: 'MM/YYYY', year: 'YYYY',
  },
  useBrowserLocale: false,
});

const isFor = ({ id, options }, field) => {
  switch (id) {
    case 'byName':
      return options === field.name;
    case 'byType':
      return options === field.type;
    default:
      return id === 'byRegexp' && new RegExp(options.slice(1, -1)).test(field.name);
  }
};

// As Grafana's table reads boards that were made for those before 12.
function migrated(panel) {
  if (panel.type !== 'table') {
    return panel;
  }
  const overrides = panel.fieldConfig.overrides.map(({ matcher, properties }) => ({
    matcher,
    properties: properties.flatMap(({ id, value }) => {
      if (id === 'custom.hidden') {
        return [{ id: 'custom.hideFrom', value: { viz: value } }];
      }
      if (id === 'custom.cellOptions' && value.wrapText !== undefined) {
        const { wrapText, ...others } = value;
        return [{ id, value: others }, { id: 'custom.wrapText', value: wrapText }];
      }
      return [{ id, value }];
    }),
  }));
  return { ...panel, fieldConfig: { ...panel.fieldConfig, overrides } };
}

// What Grafana's applyFieldOverrides does with defaults and overrides, as far as the boards use them.
function configured(panel, sets) {
  let number = 0;
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  return sets.map((set) => {
    const frame = toDataFrame({ refId: set.refId, fields: set.fields.map((one) => ({ ...one, config: {} })) });
    const isSeries = frame.fields.some((field) => field.name === 'time');
    for (const field of frame.fields) {
      const config = { ...defaults, custom: { ...(defaults.custom ?? {}) } };
      for (const { matcher, properties } of overrides) {
        for (const { id, value } of isFor(matcher, field) ? properties : []) {
          if (id.startsWith('custom.')) {
            config.custom[id.slice(7)] = value;
          } else {
            config[id] = value;
          }
        }
      }
      if (field.type === FieldType.number) {
        field.state = { seriesIndex: number++ };
        const byValue = ['stat', 'bargauge', 'table'].includes(panel.type);
        config.color ??= { mode: byValue ? FieldColorModeId.Thresholds : FieldColorModeId.PaletteClassic };
      } else {
        delete config.color;
        delete config.min;
        delete config.max;
      }
      field.config = field.type === FieldType.time && isSeries ? { custom: {} } : config;
      field.display = getDisplayProcessor({ field, theme, timeZone: ZONE });
      // Its table reads the title here.
      field.state = { ...field.state, displayName: getFieldDisplayName(field, frame) };
    }
    return frame;
  });
}

const Note = ({ children }) => <div style={{ padding: 20, color: '#666', textAlign: 'center' }}>{children}</div>;
const Sketch = () => (
  <text x="4" y="12" fontSize="10" fill="#888">
    phác họa: Grafana tự vẽ loại ô này / a sketch: Grafana draws this kind itself
  </text>
);
const legendOf = (panel) => panel.options?.legend ?? { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };

// The board's marks: a region from one time to another, or a line. Grafana has a layer of its own for them.
function marking(marks) {
  const marked = new WeakSet();
  return (config) => {
    if (!marked.has(config)) {
      marked.add(config);
      config.addHook('draw', ({ ctx, bbox, valToPos, scales }) => {
        ctx.save();
        for (const { colour, from, to } of marks) {
          if (from > scales.x.max || (to ?? from) < scales.x.min) {
            continue;
          }
          const at = valToPos(Math.max(from, scales.x.min), 'x', true);
          ctx.strokeStyle = ctx.fillStyle = colour;
          if (to) {
            ctx.globalAlpha = 0.15;
            ctx.fillRect(at, bbox.top, valToPos(Math.min(to, scales.x.max), 'x', true) - at, bbox.height);
          } else {
            ctx.globalAlpha = 0.8;
            ctx.setLineDash([4, 4]);
            ctx.beginPath();
            ctx.moveTo(at, bbox.top);
            ctx.lineTo(at, bbox.top + bbox.height);
            ctx.stroke();
          }
        }
        ctx.restore();
      });
    }
    return null;
  };
}

function Series({ panel, frames, range, marks, width, height, timeless }) {
  return (
    <TimeSeries
      frames={frames} timeRange={range} timeZone={ZONE} width={width} height={height} structureRev={1}
      legend={legendOf(panel)} tweakScale={(scale) => scale} tweakAxis={(axis) => axis} replaceVariables={(text) => text}
      {...(timeless ? { preparePlotFrame: (all) => all[0] } : {})}
    >
      {timeless ? () => null : marking(marks)}
    </TimeSeries>
  );
}

// The component finds a series' title for the legend by where it came from; its own alignment of frames sets this.
const withOrigins = (fields) => fields.map((field, fieldIndex) => (
  Object.assign(field, { state: { ...field.state, origin: { frameIndex: 0, fieldIndex } } })
));

// Grafana's trend panel is its time series component over a frame whose first field is a number.
function Trend({ panel, frames, ...rest }) {
  const [first, ...others] = frames[0].fields;
  const line = { drawStyle: 'line', lineWidth: 2, fillOpacity: 0, pointSize: 4, showPoints: 'never' };
  for (const field of others) {
    field.config.custom = { ...line, ...field.config.custom };
  }
  first.config = { custom: {} };
  return <Series panel={panel} frames={[{ ...frames[0], fields: withOrigins([first, ...others]) }]} timeless {...rest} />;
}

function BarChart({ panel, frames, ...rest }) {
  const [category, ...bars] = frames[0].fields;
  const places = {
    ...category, type: FieldType.number, values: category.values.map((_, place) => place),
    config: { custom: {}, min: -0.6, max: category.values.length - 0.4 },
    display: (place) => ({ text: Number.isInteger(place) ? (category.values[place] ?? '') : '', numeric: place }),
  };
  const stacked = panel.options?.stacking === 'normal';
  for (const field of bars) {
    field.config.custom = {
      drawStyle: 'bars', barAlignment: 0, barWidthFactor: 0.7, fillOpacity: 80, lineWidth: 0, showPoints: 'never',
      stacking: { mode: stacked ? 'normal' : 'none', group: 'A' }, axisPlacement: 'left',
    };
  }
  return <Series panel={panel} frames={[{ ...frames[0], fields: withOrigins([places, ...bars]) }]} timeless {...rest} />;
}

function Heatmap({ panel, frames, width, height }) {
  const [time, ...rows] = frames[0].fields;
  const all = rows.flatMap((row) => row.values.filter((value) => value != null));
  const { scheme, reverse, min: least = Math.min(...all), max: most = Math.max(...all) } = panel.options.color;
  const colour = (value) => {
    const share = (value - least) / (most - least || 1);
    return chromatic[`interpolate${scheme}`](reverse ? 1 - share : share);
  };
  const left = 210;
  const week = 7 * 86400e3;
  const columns = (time.values.at(-1) - time.values[0]) / week + 1;
  const w = (width - left - 8) / columns;
  const h = Math.min(26, (height - 40) / rows.length);
  const day = getDisplayProcessor({ field: { type: FieldType.time, config: { unit: 'time:DD/MM' } }, theme, timeZone: ZONE });
  const ticks = time.values.filter((_, place) => place % Math.ceil(time.values.length / 8) === 0);
  return (
    <svg width={width} height={height}>
      <Sketch />
      {rows.map((row, y) => (
        <g key={row.name}>
          <text x={left - 6} y={18 + y * h + h * 0.7} fontSize={Math.min(12, h * 0.75)} textAnchor="end">{row.name.length > 30 ? `${row.name.slice(0, 29)}…` : row.name}</text>
          {row.values.map((value, place) => value == null ? null : (
            <rect
              key={place} x={left + ((time.values[place] - time.values[0]) / week) * w} y={18 + y * h} width={w - 1} height={h - 1}
              fill={colour(value)}
            />
          ))}
        </g>
      ))}
      {ticks.map((tick) => (
        <text key={tick} x={left + ((tick - time.values[0]) / week) * w} y={34 + rows.length * h} fontSize="11" fill="#444">{day(tick).text}</text>
      ))}
    </svg>
  );
}

function Circles({ panel, frames, width, height }) {
  const column = (name) => frames[0].fields.find((field) => field.name === name)?.values ?? [];
  const colourBy = panel.options.layers.at(-1).config.style.color.field;
  const shown = frames[0].fields.find((field) => field.name === colourBy);
  const all = column('name').map((name, place) => ({
    name, latitude: column('latitude')[place], longitude: column('longitude')[place],
    size: column('notified')[place], colour: shown.display(shown.values[place]).color,
  })).filter((one) => one.latitude != null);
  const span = (key) => [Math.min(...all.map((one) => one[key])), Math.max(...all.map((one) => one[key]))];
  const [south, north] = span('latitude');
  const [west, east] = span('longitude');
  const [, largest] = span('size');
  const scale = Math.min((width - 160) / (east - west || 1), (height - 110) / (north - south || 1));
  return (
    <svg width={width} height={height}>
      <Sketch />
      {all.map((one) => {
        const x = 80 + (one.longitude - west) * scale;
        const y = 50 + (north - one.latitude) * scale;
        return (
          <g key={one.name}>
            <circle cx={x} cy={y} r={4 + 20 * Math.sqrt(one.size / largest)} stroke="#444" fill={one.colour} fillOpacity="0.75" />
            <text x={x} y={y + 36} fontSize="11" textAnchor="middle">{one.name}</text>
          </g>
        );
      })}
    </svg>
  );
}

function Stat({ panel, frames, width, height }) {
  const numbers = frames[0].fields.filter((field) => field.type === FieldType.number);
  return (
    <div style={{ display: 'flex', gap: 4 }}>
      {numbers.map((field) => {
        const raw = field.values.at(-1);
        const value = { ...field.display(raw) };
        if (raw == null) {
          Object.assign(value, { text: panel.fieldConfig.defaults.noValue, prefix: undefined, suffix: undefined });
        }
        value.title = numbers.length > 1 ? getFieldDisplayName(field, frames[0], frames) : undefined;
        return (
          <BigValue
            key={field.name} theme={theme} width={(width - 4 * (numbers.length - 1)) / numbers.length} height={height} value={value}
            colorMode={panel.options?.colorMode ?? 'value'} graphMode="none" justifyMode="auto" text={panel.options?.text}
          />
        );
      })}
    </div>
  );
}

function Gauges({ panel, frames, width, height }) {
  const name = frames[0].fields.find((field) => field.type === FieldType.string);
  const number = frames[0].fields.find((field) => field.type === FieldType.number);
  const values = number.values.map((value, place) => ({ ...number.display(value), title: name?.values[place] }));
  const each = Math.max(10, Math.min(44, (height - 4 * number.values.length) / number.values.length));
  return values.map((value, place) => (
    <div key={place} style={{ marginBottom: 4 }}>
      <BarGauge
        theme={theme} field={number.config} display={number.display} orientation="horizontal" displayMode={panel.options?.displayMode ?? 'basic'}
        width={width} height={each} value={value} itemSpacing={4} lcdCellWidth={8}
        alignmentFactors={getDisplayValueAlignmentFactors(values.map((display) => ({ display })))}
        text={{ titleSize: Math.min(13, each * 0.6), valueSize: Math.min(14, each * 0.6) }}
      />
    </div>
  ));
}

const Rows = ({ frames, width, height }) => (
  <TableNG
    data={frames[0]} width={width} height={height} fieldConfig={{ defaults: {}, overrides: [] }} structureRev={1} timeRange={undefined}
    getActions={() => []} replaceVariables={(text) => text} showTypeIcons={false}
  />
);

const KINDS = {
  timeseries: Series, trend: Trend, barchart: BarChart, heatmap: Heatmap, geomap: Circles, stat: Stat, bargauge: Gauges, table: Rows,
};

function Panel({ panel: given, data, range }) {
  const panel = migrated(given);
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * COLUMN - 8, h * ROW - 8];
  const frames = configured(panel, data.panels[panel.id]);
  const Kind = KINDS[panel.type];
  return (
    <div style={{ position: 'absolute', left: x * COLUMN + 4, top: y * ROW + 4, width, height }}>
      <PanelChrome title={panel.title} description={panel.description} width={width} height={height}>
        {(inside, high) => frames[0].length
          ? <Kind panel={panel} frames={frames} range={range} marks={data.marks} width={inside} height={high} />
          : <Note>{panel.fieldConfig.defaults.noValue}</Note>}
      </PanelChrome>
    </div>
  );
}

class Boundary extends React.Component {
  state = {};

  static getDerivedStateFromError(error) {
    return { error };
  }

  render() {
    return this.state.error ? <pre style={{ color: 'red' }}>{String(this.state.error.stack)}</pre> : this.props.children;
  }
}

async function draw() {
  const uid = new URLSearchParams(location.search).get('board');
  const [board, data] = await Promise.all([`${uid}.json`, `${uid}.data.json`].map(async (name) => (await fetch(`boards/${name}`)).json()));
  const [from, to] = [dateTime(data.from), dateTime(data.to)];
  await initPluginTranslations('canhdich');
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ padding: '10px 12px 0', fontSize: 20, fontWeight: 500 }}>
        {board.title} <span style={{ fontSize: 13, color: '#a00', marginLeft: 12 }}>DỮ LIỆU MÔ PHỎNG / simulated data</span>
      </div>
      <div style={{ position: 'relative', width: 1500, marginTop: 6 }}>
        {board.panels.map((panel) => (
          <Boundary key={panel.id}><Panel panel={panel} data={data} range={{ from, to, raw: { from, to } }} /></Boundary>
        ))}
      </div>
    </ThemeContext.Provider>,
  );
}

draw();
