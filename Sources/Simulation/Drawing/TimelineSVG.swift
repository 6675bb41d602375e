import Schedules

/// A timeline as a picture: one row a rank, one cell a span, idle time left light. However long it is, the picture
/// stays small: cells that are too narrow to be told apart become one of their mixed colour, and of very many ranks
/// every so many-th is drawn.
public struct TimelineSVG {
    let timeline: Timeline
    private let subtitle: String
    private let showsMessages: Bool
    let geometry: Geometry

    /// More than so many messages would be one black patch, and a large file.
    public static let mostMessages = 20_000

    /// - Parameters:
    ///   - subtitle: a line of figures under the title
    ///   - showsMessages: whether messages are drawn as lines from producer to consumer
    public init(_ timeline: Timeline, subtitle: String = "", showsMessages: Bool = false) {
        self.timeline = timeline
        self.showsMessages = showsMessages
        geometry = Geometry(timeline, legend: Self.legend(timeline), roomForMessages: showsMessages)
        let every = geometry.every
        self.subtitle = subtitle + (every > 1 ? "; every \(every)th of \(timeline.ranks) ranks is drawn" : "")
    }

    /// The complete SVG document.
    public var text: String {
        var svg = SVGWriter(width: geometry.width, height: geometry.height, title: timeline.title)
        svg.rectangle(
            SVGRectangle(0.5, 0.5, geometry.width - 1, geometry.height - 1), fill: "#ffffff", stroke: "#d0d7de",
            radius: 6)
        svg.text(timeline.title, at: SVGPoint(Geometry.margin, 27), size: 16, weight: "600")
        if !subtitle.isEmpty {
            svg.text(subtitle, at: SVGPoint(Geometry.margin, 47), size: 12, fill: "#57606a")
        }
        drawLegend(&svg)
        drawRows(&svg)
        drawAxis(&svg)
        drawCells(&svg)
        if showsMessages { drawMessages(&svg) }
        return svg.finished
    }

    /// Contents that occur, one of each kind, in the order of the palette.
    private static func legend(_ timeline: Timeline) -> [Timeline.Content] {
        var kinds: Set<ActionKind> = []
        var labels: [String] = []
        for span in timeline.spans {
            switch span.content {
            case .action(let action): kinds.insert(action.kind)
            case .label(let label): if !labels.contains(label) { labels.append(label) }
            }
        }
        return ActionKind.allCases.filter(kinds.contains).map {
            .action(Action($0, stage: 0, sequence: 0, slice: 0))
        } + labels.map { .label($0) }
    }

    private func drawLegend(_ svg: inout SVGWriter) {
        for entry in geometry.legend {
            svg.rectangle(
                SVGRectangle(entry.x, entry.y - 10, 12, 12), fill: Palette.colour(entry.content).hex, radius: 2)
            svg.text(Palette.title(entry.content), at: SVGPoint(entry.x + 17, entry.y), size: 12, fill: "#24292f")
        }
        let idle = geometry.idleLegend
        svg.rectangle(SVGRectangle(idle.x, idle.y - 10, 12, 12), fill: Geometry.idleFill, stroke: "#d0d7de", radius: 2)
        svg.text("idle", at: SVGPoint(idle.x + 17, idle.y), size: 12, fill: "#24292f")
        if let note = geometry.shadeNote {
            svg.text(Geometry.shadeText, at: SVGPoint(note.x, note.y), size: 12, fill: "#57606a")
        }
    }

    private func drawRows(_ svg: inout SVGWriter) {
        for (row, rank) in stride(from: 0, to: timeline.ranks, by: geometry.every).enumerated() {
            let y = geometry.rowTop(rank)
            svg.rectangle(
                SVGRectangle(geometry.plotLeft, y, geometry.plotWidth, geometry.rowHeight), fill: Geometry.idleFill)
            if row % geometry.labelEvery == 0 {
                svg.text(
                    "rank \(rank)", at: SVGPoint(geometry.plotLeft - 8, y + geometry.rowHeight / 2 + 4), size: 11,
                    fill: "#57606a", anchor: "end")
            }
        }
    }

    private func drawAxis(_ svg: inout SVGWriter) {
        let bottom = geometry.rowTop(timeline.ranks - 1) + geometry.rowHeight
        let scale = TimeScale(length: geometry.length, ticks: 10)
        for tick in scale.ticks {
            let x = geometry.x(geometry.origin + tick.seconds)
            svg.line(from: SVGPoint(x, geometry.rowTop(0)), to: SVGPoint(x, bottom + 5), stroke: "#d0d7de")
            svg.text(tick.text, at: SVGPoint(x, bottom + 18), size: 11, fill: "#57606a", anchor: "middle")
        }
        svg.text(
            "time (\(scale.symbol))", at: SVGPoint(geometry.plotLeft + geometry.plotWidth / 2, bottom + 36), size: 11,
            fill: "#57606a", anchor: "middle")
    }

    private func drawMessages(_ svg: inout SVGWriter) {
        let consumers = Consumers(timeline)
        for arrow in timeline.arrows where geometry.shows(arrow.fromRank) && geometry.shows(arrow.toRank) {
            let head = consumers.start(of: arrow) ?? arrow.arrival
            let down = arrow.toRank > arrow.fromRank
            let from = geometry.rowTop(arrow.fromRank) + (down ? geometry.rowHeight : 0)
            let to = geometry.rowTop(arrow.toRank) + (down ? 0 : geometry.rowHeight)
            svg.line(
                from: SVGPoint(geometry.x(arrow.departure), from), to: SVGPoint(geometry.x(head), to),
                stroke: "#24292f", opacity: 0.55, width: 0.8)
        }
    }
}
