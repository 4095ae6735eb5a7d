import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Draws what a terminal would show as an SVG picture.
 *
 * <p>{@code java AnsiToSvg.java 'the command that was run' 104 < output.ansi > picture.svg}: the title of the window and its
 * columns; longer lines fail. It knows the colours that {@code StatusRenderer} uses and no other sequence.
 *
 * <p>Whoever looks at the picture may have any fonts. So each piece of text is stretched to the columns that it takes, what
 * may come from another font (arrows, emojis) is centred in its columns, and the lines of the tree are drawn as lines.
 */
final class AnsiToSvg {
    private static final double COLUMN = 8.4;
    private static final int ROW = 19;
    private static final int MARGIN = 18;
    private static final int TITLE_BAR = 38;
    private static final int BASELINE = 14;

    private static final String STYLE =
            """
            text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace}
            text{fill:#d5dbe3;white-space:pre}
            .b{font-weight:bold;fill:#f4f6f8}.t{font-weight:bold;fill:#6cb6ff}.d{fill:#7f8995}.r{fill:#ff7b72}
            .g{fill:#6fd58a}.y{fill:#e9b949}.c{fill:#62d6dd}.w{fill:#fff}.m{text-anchor:middle}.e{font-size:13px}
            path{fill:none;stroke:#59636e;stroke-width:1.2}
            """;

    private final StringBuilder texts = new StringBuilder();
    private final StringBuilder lines = new StringBuilder();
    private final int columns;

    private AnsiToSvg(int columns) {
        this.columns = columns;
    }

    public static void main(String[] arguments) throws IOException {
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        AnsiToSvg picture = new AnsiToSvg(Integer.parseInt(arguments[1]));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print(picture.draw(arguments[0], input.stripTrailing().split("\n")));
        out.flush();
    }

    private String draw(String title, String[] rows) {
        for (int row = 0; row < rows.length; row++) {
            drawRow(rows[row], row);
        }
        long width = Math.round(2 * MARGIN + columns * COLUMN);
        int height = TITLE_BAR + rows.length * ROW + MARGIN;
        StringBuilder svg = new StringBuilder();
        svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" ");
        svg.append("width=\"%1$d\" height=\"%2$d\" viewBox=\"0 0 %1$d %2$d\">\n".formatted(width, height));
        svg.append("<title>").append(escaped(title)).append("</title>\n<style>").append(STYLE).append("</style>\n");
        svg.append("<rect width=\"%d\" height=\"%d\" rx=\"9\" fill=\"#12171d\"/>\n".formatted(width, height));
        String[] buttons = {"#ec6a5e", "#f4bf4f", "#61c554"};
        for (int i = 0; i < buttons.length; i++) {
            svg.append("<circle cx=\"%d\" cy=\"17\" r=\"5.5\" fill=\"%s\"/>\n".formatted(MARGIN + 3 + 19 * i, buttons[i]));
        }
        svg.append("<text class=\"d m\" x=\"%d\" y=\"21\">%s</text>\n".formatted(width / 2, escaped(title)));
        svg.append(texts);
        svg.append("<path d=\"").append(lines).append("\"/>\n</svg>\n");
        return svg.toString();
    }

    private void drawRow(String text, int row) {
        int column = 0;
        String ink = "";
        Piece piece = new Piece();
        for (int i = 0; i < text.length(); ) {
            if (text.charAt(i) == '\u001b') {
                int end = text.indexOf('m', i);
                piece.draw(row);
                ink = ink(text.substring(i + 2, end));
                i = end + 1;
                continue;
            }
            int start = i;
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            boolean picture = i < text.length() && text.charAt(i) == '\ufe0f';
            if (picture) {
                i++;
            }
            int width = picture || isWide(c) ? 2 : 1;
            if (isOfTree(c)) {
                piece.draw(row);
                drawLine(c, column, row);
            } else if (c == ' ' && (piece.isEmpty() || text.startsWith(" ", i))) {
                piece.draw(row);
            } else if (c < 0x7f) {
                piece.add((char) c, column, ink);
            } else {
                piece.draw(row);
                String kind = (ink + " m" + (width == 2 ? " e" : "")).trim();
                texts.append("<text class=\"%s\" x=\"%s\" y=\"%d\">%s</text>\n"
                        .formatted(kind, x(column + width / 2.0), y(row) + BASELINE, text.substring(start, i)));
            }
            column += width;
        }
        piece.draw(row);
        if (column > columns) {
            throw new IllegalArgumentException("line %d takes %d columns, and there are %d".formatted(row + 1, column, columns));
        }
    }

    private static String ink(String code) {
        return switch (code) {
            case "0" -> "";
            case "1" -> "b";
            case "1;34" -> "t";
            case "2" -> "d";
            case "31" -> "r";
            case "32" -> "g";
            case "33" -> "y";
            case "36" -> "c";
            case "37" -> "w";
            default -> throw new IllegalArgumentException("there is no colour for " + code);
        };
    }

    /** Of all that takes two columns, what {@code StatusRenderer} draws. Names of contexts in the demo are plain. */
    private static boolean isWide(int c) {
        return c == 0x23f3 || c == 0x2705 || c >= 0x1f300;
    }

    private static boolean isOfTree(int c) {
        return c == '│' || c == '├' || c == '└' || c == '─';
    }

    private void drawLine(int c, int column, int row) {
        String middle = x(column + 0.5);
        int top = y(row);
        if (c != '─') {
            lines.append("M%s %dV%s".formatted(middle, top, c == '└' ? number(top + ROW / 2.0) : number(top + ROW)));
        }
        if (c != '│') {
            lines.append("M%s %sH%s".formatted(c == '─' ? x(column) : middle, number(top + ROW / 2.0), x(column + 1)));
        }
    }

    private static String x(double column) {
        return number(MARGIN + column * COLUMN);
    }

    private static int y(int row) {
        return TITLE_BAR + row * ROW;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value).replace(".0", "");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** Plain characters that stand side by side in one colour. */
    private final class Piece {
        private final StringBuilder text = new StringBuilder();
        private int column;
        private String ink = "";

        boolean isEmpty() {
            return text.isEmpty();
        }

        void add(char c, int at, String colour) {
            if (text.isEmpty()) {
                column = at;
                ink = colour;
            }
            text.append(c);
        }

        void draw(int row) {
            if (!text.isEmpty()) {
                texts.append("<text%s x=\"%s\" y=\"%d\" textLength=\"%s\" lengthAdjust=\"spacingAndGlyphs\">%s</text>\n"
                        .formatted(
                                ink.isEmpty() ? "" : " class=\"" + ink + "\"",
                                x(column),
                                y(row) + BASELINE,
                                number(text.length() * COLUMN),
                                escaped(text.toString())));
                text.setLength(0);
            }
        }
    }
}
