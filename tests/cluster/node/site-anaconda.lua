-- The ready installation of the site.
help([[Python with JupyterLab, for everybody.]])
whatis("Name: site-anaconda")
prepend_path("PATH", "/opt/site/anaconda/bin")
