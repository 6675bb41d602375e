import Figures

/// A point of a drawing: pixels from its left and upper edges.
public struct SVGPoint: Sendable, Equatable {
    public var x, y: Double

    public init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }
}

/// A rectangle of a drawing, from its upper left corner.
public struct SVGRectangle: Sendable, Equatable {
    public var corner: SVGPoint
    public var width, height: Double

    public init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        corner = SVGPoint(x, y)
        self.width = width
        self.height = height
    }
}

/// Writes the few SVG elements that the drawings need.
public struct SVGWriter {
    private var body: String

    public init(width: Double, height: Double, title: String) {
        body = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width.fixed(0))" height="\(height.fixed(0))" \
            viewBox="0 0 \(width.fixed(0)) \(height.fixed(0))" role="img" \
            font-family="-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif">
            <!-- drawn by gecko -->
            <title>\(Self.escaped(title))</title>

            """
    }

    public var finished: String { body + "</svg>\n" }

    public mutating func rectangle(
        _ area: SVGRectangle, fill: String, stroke: String? = nil, radius: Double = 0
    ) {
        body +=
            "<rect x=\"\(area.corner.x.fixed(1))\" y=\"\(area.corner.y.fixed(1))\" "
            + "width=\"\(area.width.fixed(1))\" height=\"\(area.height.fixed(1))\""
        if radius > 0 { body += " rx=\"\(radius.fixed(0))\"" }
        body += " fill=\"\(fill)\""
        if let stroke { body += " stroke=\"\(stroke)\"" }
        body += "/>\n"
    }

    public mutating func line(
        from a: SVGPoint, to b: SVGPoint, stroke: String, opacity: Double = 1, width: Double = 1
    ) {
        body +=
            "<line x1=\"\(a.x.fixed(1))\" y1=\"\(a.y.fixed(1))\" x2=\"\(b.x.fixed(1))\" y2=\"\(b.y.fixed(1))\" "
            + "stroke=\"\(stroke)\" stroke-width=\"\(width.significant)\""
        if opacity < 1 { body += " stroke-opacity=\"\(opacity.significant)\"" }
        body += "/>\n"
    }

    public mutating func path(_ data: String, fill: String) {
        body += "<path d=\"\(data)\" fill=\"\(fill)\"/>\n"
    }

    /// A line through all points.
    public mutating func curve(_ points: [SVGPoint], stroke: String, width: Double = 1, dash: String? = nil) {
        body +=
            "<polyline points=\"\(Self.list(points))\" fill=\"none\" stroke=\"\(stroke)\" "
            + "stroke-width=\"\(width.significant)\" stroke-linejoin=\"round\""
        if let dash { body += " stroke-dasharray=\"\(dash)\"" }
        body += "/>\n"
    }

    /// What the points enclose.
    public mutating func polygon(_ points: [SVGPoint], fill: String, opacity: Double = 1) {
        body += "<polygon points=\"\(Self.list(points))\" fill=\"\(fill)\" fill-opacity=\"\(opacity.significant)\"/>\n"
    }

    private static func list(_ points: [SVGPoint]) -> String {
        points.map { "\($0.x.fixed(1)),\($0.y.fixed(1))" }.joined(separator: " ")
    }

    public mutating func circle(_ x: Double, _ y: Double, _ radius: Double, fill: String, opacity: Double = 1) {
        body += "<circle cx=\"\(x.fixed(1))\" cy=\"\(y.fixed(1))\" r=\"\(radius.fixed(1))\" fill=\"\(fill)\""
        if opacity < 1 { body += " fill-opacity=\"\(opacity.significant)\"" }
        body += "/>\n"
    }

    public mutating func text(
        _ text: String, at point: SVGPoint, size: Double, fill: String = "#24292f", anchor: String = "start",
        weight: String? = nil
    ) {
        body +=
            "<text x=\"\(point.x.fixed(1))\" y=\"\(point.y.fixed(1))\" "
            + "font-size=\"\(size.significant)\" fill=\"\(fill)\""
        if anchor != "start" { body += " text-anchor=\"\(anchor)\"" }
        if let weight { body += " font-weight=\"\(weight)\"" }
        body += ">\(Self.escaped(text))</text>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}
