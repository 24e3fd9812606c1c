import {
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type ThresholdsConfig,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesPanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** PromQL and what its series are called, with Grafana's `{{label}}`. */
export type Query = readonly [expr: string, legend: string];

export interface PanelText {
  readonly title: string;
  /** What a reader should make of it. */
  readonly description: string;
  /** Grafana's unit id, e.g. `s`, `percentunit`, `bytes`, `short`. */
  readonly unit: string;
}

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

const toTarget = ([expr, legend]: Query, index: number) =>
  new DataqueryBuilder()
    .expr(expr)
    .legendFormat(legend)
    .range()
    .refId(String.fromCharCode(65 + index));

/** A curve over time, a third of the width. */
export function curve(
  text: PanelText,
  queries: readonly Query[],
  options: { isStacked?: boolean; min?: number; max?: number } = {},
): TimeseriesPanelBuilder {
  const panel = new TimeseriesPanelBuilder()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .datasource(DATASOURCE)
    .targets(queries.map(toTarget))
    .lineWidth(1)
    .fillOpacity(options.isStacked ? 40 : 8)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .min(options.min ?? 0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .span(8)
    .height(8);
  if (options.max !== undefined) panel.max(options.max);
  if (options.isStacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return panel;
}

/** One figure of now. `bad`: where it turns red, and on which side. */
export function figure(
  text: PanelText,
  query: Query,
  bad?: { above: number } | { below: number },
): StatPanelBuilder {
  const panel = new StatPanelBuilder()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .datasource(DATASOURCE)
    .withTarget(toTarget(query, 0).instant())
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .noValue('–')
    .span(4)
    .height(4);
  return bad ? panel.thresholds(thresholds(bad)) : panel;
}

function thresholds(bad: { above: number } | { below: number }): { build(): ThresholdsConfig } {
  const steps =
    'above' in bad
      ? [
          { value: null, color: 'green' },
          { value: bad.above, color: 'red' },
        ]
      : [
          { value: null, color: 'red' },
          { value: bad.below, color: 'green' },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
