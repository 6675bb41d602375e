import Figures
import Schedules

extension TimelineSVG {
    /// Cells of one colour make one path, so that a long table's picture stays small.
    private struct Paths {
        private var data: [Colour: String] = [:]
        private var order: [Colour] = []

        mutating func add(_ colour: Colour, x: Double, end: Double, y: Double, height: Double) {
            if data[colour] == nil { order.append(colour) }
            let gap = end - x > 3 ? 0.6 : 0
            let width = (end - x - gap).fixed(2)
            data[colour, default: ""] += "M\(x.fixed(2)) \(y.fixed(1))h\(width)v\(height.fixed(1))h-\(width)z"
        }

        func draw(_ svg: inout SVGWriter) {
            for colour in order { svg.path(data[colour] ?? "", fill: colour.hex) }
        }
    }

    /// Neighbouring cells of a row that are too narrow to be told apart.
    private struct Bundle {
        var x: Double
        var end: Double
        /// Pixels of each colour.
        var widths: [Colour: Double]

        /// Cells narrower than this are bundled, until they are `width` wide together.
        static let narrow = 1.0
        static let width = 2.0

        /// What the eye would make of it: the mean of the colours and of the idle time between.
        var colour: Colour {
            let whole = end - x
            guard widths.count > 1 || (widths.values.first ?? 0) < 0.95 * whole else { return widths.keys.first! }
            // In a fixed order, so that the same timeline is the same picture.
            let cells = widths.sorted { ($0.value, $0.key.hex) < ($1.value, $1.key.hex) }
            var mixed = Geometry.idleColour
            var covered = max(0, whole - cells.reduce(0) { $0 + $1.value })
            for (colour, width) in cells {
                covered += width
                mixed = mixed.mixed(with: colour, share: covered > 0 ? width / covered : 1)
            }
            return mixed.coarse
        }
    }

    private struct Label {
        let text: String
        let x: Double
        let y: Double
        let size: Double
        let isOnLight: Bool
    }

    func drawCells(_ svg: inout SVGWriter) {
        let shading = Shading(timeline)
        var paths = Paths()
        var labels: [Label] = []
        var bundle: (rank: Int, cells: Bundle)?
        func flush() {
            guard let (rank, cells) = bundle else { return }
            paths.add(
                cells.colour, x: cells.x, end: cells.end, y: geometry.rowTop(rank), height: geometry.rowHeight)
            bundle = nil
        }
        for span in timeline.spans.sorted(by: { ($0.rank, $0.start) < ($1.rank, $1.start) })
        where span.lane == 0 && span.duration > 0 && geometry.shows(span.rank) {
            let colour = shading.colour(span.content)
            let (x, end) = (geometry.x(span.start), geometry.x(span.end))
            if let last = bundle,
                last.rank != span.rank || x - last.cells.end > 0.5 || end - last.cells.x > Bundle.width
            {
                flush()
            }
            if end - x < Bundle.narrow {
                var cells = bundle?.cells ?? Bundle(x: x, end: end, widths: [:])
                cells.end = end
                cells.widths[colour, default: 0] += end - x
                bundle = (span.rank, cells)
                continue
            }
            flush()
            paths.add(colour, x: x, end: end, y: geometry.rowTop(span.rank), height: geometry.rowHeight)
            if let label = geometry.label(span.content, width: end - x) {
                labels.append(
                    Label(
                        text: label.text, x: (x + end) / 2 - 0.3,
                        y: geometry.rowTop(span.rank) + geometry.rowHeight / 2, size: label.size,
                        isOnLight: colour.isLight))
            }
        }
        flush()
        paths.draw(&svg)
        for label in labels {
            svg.text(
                label.text, at: SVGPoint(label.x, label.y + label.size * 0.36), size: label.size,
                fill: label.isOnLight ? "#24292f" : "#ffffff", anchor: "middle")
        }
    }
}
