// Names that stay, since a profile keeps no files of older versions; what is loaded later bears its
// digest in the address. Lines that a person can read in a diff.
const TerserPlugin = require('terser-webpack-plugin');

module.exports = {
  devtool: false,
  output: { chunkFilename: 'time-left.js?v=[contenthash]' },
  optimization: {
    minimizer: [
      new TerserPlugin({
        extractComments: false,
        terserOptions: { format: { ascii_only: true, max_line_len: 95 } }
      })
    ]
  }
};
